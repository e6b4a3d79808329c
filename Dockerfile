# syntax=docker/dockerfile:1
# The product as one binary in a small image. Build: docker build -t sheetmill .

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends build-essential && rm -rf /var/lib/apt/lists/*
WORKDIR /build
ENV SQLX_OFFLINE=true CARGO_TERM_COLOR=never
# First the dependencies, with empty packages in place of ours: this layer stays until Cargo.lock changes.
COPY Cargo.toml Cargo.lock ./
COPY engine/Cargo.toml engine/
COPY workspace-hack workspace-hack
RUN mkdir -p src engine/src \
 && echo 'fn main() {}' > src/main.rs && touch src/lib.rs engine/src/lib.rs \
 && cargo build --locked --release --bin sheetmill \
 && rm -rf src engine/src target/release/.fingerprint/sheetmill-*
COPY . .
RUN cargo build --locked --release --bin sheetmill

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --user-group --home-dir /data sheetmill \
 && install -d -o sheetmill -g sheetmill -m 0700 /data
COPY --from=build /build/target/release/sheetmill /usr/local/bin/sheetmill
USER 10001:10001
ENV SHEETMILL_DATA=/data SHEETMILL_LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/healthz"]
ENTRYPOINT ["sheetmill"]
CMD ["serve"]
