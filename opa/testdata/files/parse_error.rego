package a
p {
