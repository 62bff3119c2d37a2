#!/bin/sh
# Writes Tokenhouse's ES256 keys where haproxy.cfg looks for them, and reloads HAProxy when they have changed:
#   keys.sh https://id.example.com /etc/haproxy/keys 'systemctl reload-or-restart haproxy'
# To be run once before HAProxy starts, and then every minute or two.
set -eu
issuer=$1 folder=$2 reload=$3
slots=4 # as many as haproxy.cfg names

new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

curl -fsS --max-time 5 "$issuer/.well-known/jwks.json" |
  jq -er '.keys[] | select(.kty == "EC" and .crv == "P-256" and .alg == "ES256" and .use == "sig") | .x + " " + .y' >"$new/keys"

# 32 octets are 43 characters of base64url.
octets() { printf '%s=' "$1" | tr _- /+ | base64 -d; }

count=0
while read -r x y; do
  count=$((count + 1))
  {
    # What stands before every point of P-256 in a SubjectPublicKeyInfo (RFC 5480).
    printf '\060\131\060\023\006\007\052\206\110\316\075\002\001\006\010\052\206\110\316\075\003\001\007\003\102\000\004'
    octets "$x"
    octets "$y"
  } | openssl pkey -pubin -inform DER -out "$new/$count.pem"
done <"$new/keys"
[ "$count" -le $slots ] || { echo "$count keys, but haproxy.cfg has room for $slots" >&2; exit 1; }
# HAProxy wants every file that it names: the rest repeat the first.
while [ "$count" -lt $slots ]; do
  count=$((count + 1))
  cp "$new/1.pem" "$new/$count.pem"
done
rm "$new/keys"

mkdir -p "$folder"
if ! diff -rq "$new" "$folder" >/dev/null; then
  cp "$new"/*.pem "$folder/"
  $reload
fi
