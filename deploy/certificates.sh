#!/bin/sh
# An authority of one's own and certificates for the inside: deploy/certificates.sh [FOLDER] (default deploy/certs).
# Run once before docker compose up; keep FOLDER/authority elsewhere afterwards. Again after 3 years, or with new names.
set -eu
umask 077
cd "$(dirname "$0")/.."
folder=${1:-deploy/certs}
mkdir -p "$folder/authority" "$folder/ca"
if [ ! -f "$folder/authority/ca.key" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=Yiwang inside" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout "$folder/authority/ca.key" -out "$folder/ca/ca.pem" 2>/dev/null
fi
for name in nats-1 nats-2 nats-3 postgres; do
  mkdir -p "$folder/$name"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -keyout "$folder/$name/key.pem" -out "$folder/$name/request.pem" 2>/dev/null
  printf 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' "$name" > "$folder/$name/names"
  openssl x509 -req -in "$folder/$name/request.pem" -CA "$folder/ca/ca.pem" -CAkey "$folder/authority/ca.key" \
    -CAcreateserial -days 1095 -extfile "$folder/$name/names" -out "$folder/$name/cert.pem" 2>/dev/null
  rm "$folder/$name/request.pem" "$folder/$name/names"
done
chmod 755 "$folder" "$folder/ca" && chmod 644 "$folder/ca/ca.pem"
# The images run as these accounts; without the right to give files away (no root) do it by hand.
chown -R 999:999 "$folder/postgres" 2>/dev/null || echo "chown -R 999:999 $folder/postgres (as root)"
echo "certificates in $folder; the authority's key is $folder/authority/ca.key: keep it elsewhere"
