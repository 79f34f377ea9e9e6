FROM debian:12-slim
RUN apt-get update
RUN --mount=type=cache,target=/var/lib/apt/lists,sharing=locked apt-get install -y --no-install-recommends hello
