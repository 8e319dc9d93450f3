# mapwatch in a container: built with Swift's image, run on plain Debian, as nobody in particular.
#
#   docker build --tag mapwatch .            (buildah and podman: --format docker keeps the health check)
#   docker run --read-only --cap-drop=all --security-opt=no-new-privileges \
#       --publish 127.0.0.1:10197:10197 --publish 127.0.0.1:10198:10198 --volume mapwatch:/var/lib/mapwatch mapwatch
#
# Inside of the container both listeners are open to every interface, since a container's loopback is its own. What that
# opens is said by --publish: the data API has no password unless --data.config.file gives it one, so publish it on
# loopback, or to a network whose every member may write and drop maps.

FROM swift:6.3-bookworm AS build
# Debian keeps no older version of a package than the newest, so a pinned one would fail with the next security update.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libmicrohttpd-dev libgnutls28-dev libcrypt-dev zlib1g-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /mapwatch
COPY Package.swift ./
COPY Sources Sources
# The manifest names the tests too, and none is built.
COPY Tests Tests
# The standard library inside of the program: 60 MB less than its shared libraries, and no image of Swift to run it on.
RUN swift build -c release --static-swift-stdlib --product mapwatch -Xlinker --strip-all \
    && install -D .build/release/mapwatch /image/usr/local/bin/mapwatch \
    && install -d -m 0700 -o 10197 -g 10197 /image/var/lib/mapwatch

FROM debian:bookworm-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libcrypt1 libgnutls30 libmicrohttpd12 libstdc++6 zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /image /
LABEL org.opencontainers.image.title="mapwatch" \
    org.opencontainers.image.description="Hosts instrumented maps and shows, shard by shard, how close each is to an accident" \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
USER 10197:10197
# What --storage.path keeps: the one place that is written to, so that everything else may be read-only.
VOLUME /var/lib/mapwatch
EXPOSE 10197 10198
# In plain HTTP at the default port; with TLS or another port say --health-cmd yourself.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/10197 && printf 'GET /-/healthy HTTP/1.0\\r\\n\\r\\n' >&3 && read -r line <&3 && [[ $line == *' 200 '* ]]"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["mapwatch"]
CMD ["serve", "--web.listen-address", "0.0.0.0:10197", "--data.listen-address", "0.0.0.0:10198", \
    "--storage.path", "/var/lib/mapwatch"]
