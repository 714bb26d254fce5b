# syntax=docker/dockerfile:1
# Container image with both programs, `care4u` and `migration`. They run as an unprivileged user.

FROM rust:1.95-slim-trixie AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# Path remapping: the binaries contain no paths of the build machine.
ENV RUSTFLAGS="--remap-path-prefix=/build=. --remap-path-prefix=/usr/local/cargo=cargo" \
    CFLAGS="-ffile-prefix-map=/build=. -ffile-prefix-map=/usr/local/cargo=cargo"

# Dependency layer: compiled with empty sources, and rebuilt only if a manifest changes.
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
COPY entity/Cargo.toml entity/
COPY migration/Cargo.toml migration/
COPY migration/engine/Cargo.toml migration/engine/
COPY migration/engine/examples/library/entity/Cargo.toml migration/engine/examples/library/entity/
COPY migration/engine/examples/library/migration/Cargo.toml migration/engine/examples/library/migration/
COPY tests/support/build.rs tests/support/
RUN mkdir -p src entity/src migration/src migration/engine/src/bin migration/engine/tests migration/engine/benches benches/load \
    && mkdir migration/engine/examples/library/entity/src migration/engine/examples/library/migration/src \
    && touch src/lib.rs entity/src/lib.rs migration/src/lib.rs migration/engine/src/lib.rs \
    && touch migration/engine/examples/library/entity/src/lib.rs migration/engine/examples/library/migration/src/lib.rs \
    && echo 'fn main() {}' > migration/engine/src/bin/revisions.rs \
    && for test in alembic kinds other_backends round_trips; do touch migration/engine/tests/$test.rs; done \
    && echo 'fn main() {}' > migration/engine/benches/large.rs \
    && for main in src migration/src benches/load; do echo 'fn main() {}' > $main/main.rs; done \
    && cargo build --release --locked --package care4u \
    && cargo build --release --locked --package migration

COPY . .
# Modification times: Cargo compares them, and the empty sources may be newer than the real ones.
RUN find src entity migration -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --package care4u \
    && cargo build --release --locked --package migration

FROM debian:trixie-slim
LABEL org.opencontainers.image.title="care4u" \
      org.opencontainers.image.description="Vaccine registration and identity in one small binary" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
RUN useradd --system --uid 10001 --home-dir /var/lib/care4u --create-home care4u
COPY --from=build /build/target/release/care4u /build/target/release/migration /usr/local/bin/
WORKDIR /var/lib/care4u
# Numeric, so that Kubernetes can check that it is not root.
USER 10001
ENV CARE4U_PROFILE=production
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["care4u", "healthcheck"]
CMD ["care4u"]
