# Dockerfile -- Nabat in a container: built in one Debian, run in another that holds nothing but libraries.
#
#     docker build -t nabat . && docker run --env-file .env -e DATABASE_URL=… -v nabat-spool:/var/lib/nabat -p 8080:8080 nabat
#
# The same sources give the same binary: no paths and no dates go into it. nabat-prune is in the image, too.
FROM debian:bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev cmake ninja-build pkg-config libbrotli-dev libcairo2-dev \
    libcurl4-openssl-dev libev-dev libjansson-dev libpcre2-dev libpq-dev libssl-dev libzstd-dev zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cmake --preset release && cmake --build build \
 && DESTDIR=/image cmake --install build --prefix /usr --component programs --strip

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates fonts-dejavu-core libbrotli1 libcairo2 libcurl4 libev4 libjansson4 libpcre2-8-0 libpq5 \
    libssl3 libzstd1 tzdata zlib1g \
 && rm -rf /var/lib/apt/lists/* /var/cache/debconf/* /var/log/* \
 && groupadd --system --gid 10001 nabat \
 && useradd --system --uid 10001 --gid nabat --home-dir /var/lib/nabat --shell /usr/sbin/nologin nabat \
 && install -d -o nabat -g nabat -m 0700 /var/lib/nabat /var/lib/nabat-archive
COPY --from=build /image/usr/bin/ /usr/bin/
COPY deploy/docker/nabat-ready /usr/bin/nabat-ready
ENV PORT=8080 SPOOL_DIR=/var/lib/nabat/spool
WORKDIR /var/lib/nabat
USER nabat
EXPOSE 8080
# ready: events can be taken and kept, in the database or on disk
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["/usr/bin/nabat-ready"]
STOPSIGNAL SIGTERM
CMD ["/usr/bin/nabat"]
