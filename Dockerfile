# syntax=docker/dockerfile:1
# Offhook in an image: the binary, a data directory, nothing that runs as root.
#   docker build -t offhook . && docker run -p 7788:7788 -v offhook:/var/lib/offhook -v /etc/offhook:/etc/offhook:ro offhook
#
# A release builds it around the static binary that it publishes: --build-arg BINARY=given, with that as dist/amd64/offhook (or arm64).
#
# It listens on all of the container's addresses, so it needs identity.agent_keys in /etc/offhook/offhook.toml.

ARG BINARY=build

FROM rust:1.95.0-slim-bookworm AS build
# The image's own, without the components for people that rust-toolchain.toml asks for.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make binutils python3 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# What `offhook --version` says of its source: there is no git here.
ARG OFFHOOK_COMMIT
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin offhook && objcopy --strip-debug target/release/offhook /offhook \
    && python3 config/release/components.py licences >/third-party-licences.txt

FROM scratch AS given
ARG TARGETARCH
COPY dist/${TARGETARCH}/offhook dist/third-party-licences.txt /

FROM ${BINARY} AS binary

FROM debian:bookworm-slim
# The authorities that OpenID providers are judged by.
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin offhook \
    && install -d -o offhook -g offhook -m 0700 /var/lib/offhook && install -d /etc/offhook
COPY LICENSE /usr/share/doc/offhook/LICENSE
COPY --from=binary /third-party-licences.txt /usr/share/doc/offhook/
COPY --from=binary /offhook /usr/bin/offhook
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
ENV OFFHOOK_SERVER__LISTEN=0.0.0.0:7788 \
    OFFHOOK_SERVER__OPERATORS_LISTEN=0.0.0.0:7789 \
    OFFHOOK_SERVER__DATA_DIR=/var/lib/offhook \
    OFFHOOK_LOG__FORMAT=json
VOLUME /var/lib/offhook
EXPOSE 7788 7789
STOPSIGNAL SIGTERM
# Alive, not ready: a full disk fails readiness, and restarting would not help it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/bin/offhook", "check", "--health"]
ENTRYPOINT ["/usr/bin/offhook"]
CMD ["serve", "--config", "/etc/offhook/offhook.toml"]
