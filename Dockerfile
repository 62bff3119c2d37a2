# syntax=docker/dockerfile:1

FROM rust:1.95-slim-trixie AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --bin tokenhouse \
    && install -D target/release/tokenhouse /out/tokenhouse \
    && install -d -m 0700 /out/home/data /out/home/keys

# The same Debian as above, for the same C library.
FROM debian:trixie-slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/tokenhouse /usr/local/bin/tokenhouse
COPY --from=build --chown=10001:10001 /out/home /var/lib/tokenhouse
WORKDIR /var/lib/tokenhouse
USER 10001:10001
ENV TOKENHOUSE_LISTEN=0.0.0.0:8080
EXPOSE 8080
VOLUME ["/var/lib/tokenhouse/data", "/var/lib/tokenhouse/keys"]
ENTRYPOINT ["tokenhouse"]
CMD ["serve"]
