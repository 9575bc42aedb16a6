# syntax=docker/dockerfile:1
# A small image: one program, the certificates, and nothing to log in with. See docs/deployment.md.

ARG RUST=1.95

FROM rust:${RUST}-slim-bookworm AS build
WORKDIR /src

# Dependencies first, with empty programs in the place of ours: this layer is built again only when they change.
COPY Cargo.toml Cargo.lock build.rs ./
COPY protocol/Cargo.toml protocol/
RUN mkdir -p src protocol/src benches/load \
    && touch src/lib.rs protocol/src/lib.rs \
    && echo 'fn main() {}' | tee src/main.rs > benches/load/main.rs \
    && cargo build --release --locked \
    && rm -r src protocol/src benches

COPY . .
# Newer than the empty ones, or cargo would take those for built.
RUN touch src/main.rs src/lib.rs protocol/src/lib.rs \
    && cargo build --release --locked \
    && install -D target/release/chatkit-gateway /out/chatkit-gateway \
    && install -d -o 1000 -g 1000 /out/data

FROM gcr.io/distroless/cc-debian12
COPY --from=build /out/chatkit-gateway /usr/local/bin/chatkit-gateway
COPY --from=build --chown=1000:1000 /out/data /data
ENV HOST=0.0.0.0 PORT=8000 DATA_DIR=/data LOG_FORMAT=json
USER 1000
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["/usr/local/bin/chatkit-gateway", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/chatkit-gateway"]
CMD ["serve"]
