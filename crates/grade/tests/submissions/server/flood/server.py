"""It prints without end."""
while True:
    print("x" * 4096)
