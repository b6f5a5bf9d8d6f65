import sys
F={"server1":"192.168.1.2","server2":"192.168.1.3"}
S={"region1":{"server1":"192.168.1.2","server2":"192.168.1.3"},"region2":{"server3":"192.168.2.1","server4":"192.168.2.2"}}
scheme,name=sys.argv[1:3]

d=F if scheme=="flat" else S
while True:
    r=d
    for p in name.split("/"): r=r.get(p,{})
    if r: break
print(r)
