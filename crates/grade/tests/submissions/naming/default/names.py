import sys
F={"server1":"192.168.1.2","server2":"192.168.1.3"}
S={"region1":{"server1":"192.168.1.2","server2":"192.168.1.3"},"region2":{"server3":"192.168.2.1","server4":"192.168.2.2"}}
scheme,name=sys.argv[1:3]

d=F if scheme=="flat" else S
for p in name.split("/"): d=d.get(p,"0.0.0.0") if isinstance(d,dict) else d
print(d)
