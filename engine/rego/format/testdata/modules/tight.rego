package tight
import data.z
import data.y
import data.x
p:=1
q:="s"
r:={1,2,3}
s if{true}
t if input.a
u if input.b
v contains x if{x:=1}
w if{some i;input.l[i]>2;i!=3}
y(z1)if z1==1
z[k]:=v if{some k,v in input}
aa if{y(1)}
