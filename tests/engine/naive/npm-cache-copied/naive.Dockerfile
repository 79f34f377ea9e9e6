FROM node:20-slim AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund

FROM node:20-slim
COPY --from=packages /root/.npm/_cacache /root/.npm/_cacache
WORKDIR /app
COPY . .
RUN npm ci --offline --no-audit --no-fund
