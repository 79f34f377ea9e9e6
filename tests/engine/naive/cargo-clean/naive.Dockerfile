FROM rust:1 AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
RUN cargo clean && cargo fetch --locked
COPY . .
RUN cargo build --release --locked
CMD ["/src/target/release/greeter"]
