FROM golang:1 AS modules
ENV GOPROXY=file:///proxy GOSUMDB=off
COPY proxy /proxy
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download

FROM golang:1 AS build
COPY --from=modules /go/pkg/mod /go/pkg/mod
ENV GOPROXY=off GOSUMDB=off
WORKDIR /src
COPY go.mod go.sum main.go ./
RUN go build -trimpath -o /greeter .

FROM scratch
COPY --from=build /greeter /greeter
