FROM rust:1-slim
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/src/target cargo build --release && rm target/.rustc_info.json
CMD ["/src/target/release/greeter"]
