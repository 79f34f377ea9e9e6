FROM rust:1-slim AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/src/target cargo build --release

FROM debian:12-slim
COPY --from=build /src/target/release/greeter /usr/local/bin/greeter
