# --client-ca-name and --client-cn-name: who has no certificate of that authority and name gets no connection;
# --tls-min-version: nor who speaks an older version.
certs="$run/client-certs"
mkdir -p "$certs"
authority() { openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj "/CN=$1" -keyout "$certs/$1.key" -out "$certs/$1.crt" 2>/dev/null; }
client() {  # NAME COMMON-NAME AUTHORITY
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$2" -keyout "$certs/$1.key" -out "$certs/$1.csr" 2>/dev/null
  openssl x509 -req -days 1 -in "$certs/$1.csr" -CA "$certs/$3.crt" -CAkey "$certs/$3.key" -CAcreateserial \
    -extfile <(echo extendedKeyUsage=clientAuth) -out "$certs/$1.crt" 2>/dev/null
}
authority trusted; authority stranger
client right apiserver trusted; client name somebody trusted; client foreign apiserver stranger
label='{"request":{"uid":"u","operation":"DELETE","kind":{"group":"","version":"v1","kind":"Namespace"},"name":"x"}}'
ask() { printf %s "$label" | post /v1/admitlabel - "$@"; }
answered() { expect_in "$(ask "$@")" 'Delete is always allowed'; }
refused() { ! ask "$@"; }

step "TLS 1.3 at least, unless asked for less"
answered
refused --tls-max 1.2
mkdir -p "$run/client-authority"
cp "$certs/trusted.crt" "$run/client-authority/clients.crt"
manager_end TERM 30
# With a certificate of the own making: --cert-dir is where the clients' authority lies.
manager_start --cert-dir="$run/client-authority" --client-ca-name=clients.crt --client-cn-name=apiserver --tls-min-version=1.2
manager_wait_ready 60
answered --cert "$certs/right.crt" --key "$certs/right.key"
answered --cert "$certs/right.crt" --key "$certs/right.key" --tls-max 1.2
refused
refused --cert "$certs/name.crt" --key "$certs/name.key"
refused --cert "$certs/foreign.crt" --key "$certs/foreign.key"
manager_end TERM 30
manager_start
manager_wait_ready 60
