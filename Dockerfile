# One image for every app: `docker run … tollway dist/apps/<app>/src/main.js`. docker-compose.yml names them all.
FROM node:26-slim AS build
WORKDIR /app
ENV NX_DAEMON=false CI=true
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run build

# What runs needs neither the compiler nor the embedded databases, which talk to no server: no chdb, no Postgres, no second Node.
FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts --omit=dev --omit=optional && npm cache clean --force

FROM node:26-slim
WORKDIR /app
ENV NODE_ENV=production HOST=0.0.0.0
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/dist ./dist
# A volume that is mounted here belongs to who runs.
RUN mkdir -p /var/lib/tollway/exports && chown -R node:node /var/lib/tollway
USER node
ENTRYPOINT ["node"]
CMD ["dist/apps/front/src/main.js"]
