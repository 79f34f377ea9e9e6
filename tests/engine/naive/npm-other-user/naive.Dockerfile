FROM node:20-slim
RUN mkdir /app && chown node:node /app
USER node
WORKDIR /app
COPY --chown=node:node . .
RUN --mount=type=cache,target=/home/node/.npm npm ci --no-audit --no-fund
