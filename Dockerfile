# Two images from one bundle:
#
#   docker build .                    the agent: Node and one file, no shell, no package manager, nobody's user
#   docker build --target helper .    the helper: beside them what mounts, loads and builds a kernel module; no network client of its own
#
# The helper brings no source of shiftfs. To bake yours in, put its folders (k5.10, k6.1, …) into a tar below this directory:
#
#   docker build --target helper --build-arg SHIFTFS_SOURCE=shiftfs.tar --build-arg SHIFTFS_SHA256=… .
#
# Two builds of one commit have one digest where the builder sets all times alike (buildah --timestamp 0,
# docker buildx build --output type=image,rewrite-timestamp=true with SOURCE_DATE_EPOCH=0) and the bases are the same.

# The bases are named by digest, since a tag can be moved. These digests are of October 2026: for Debian's later fixes take the newer
# ones, which `docker buildx imagetools inspect NAME:TAG` prints.
# Debian 13; any other with util-linux 2.39 or newer will do.
ARG BASE=docker.io/library/debian:trixie-slim@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f
# To build with, and for the libraries of the agent: the Node that runs is the one of package-lock.json.
ARG NODE=docker.io/library/node:24.21.0-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66

FROM ${NODE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# `true` where node_modules is mounted.
ARG INSTALL="npm ci --ignore-scripts"
RUN ${INSTALL}
COPY tsconfig.json LICENSE ./
COPY scripts scripts
COPY packaging packaging
COPY src src
COPY manifests/workspaces manifests/workspaces
RUN sh scripts/image.sh /image

FROM ${BASE} AS tools
ARG PACKAGES="gcc make libc6-dev libelf1t64 kmod util-linux mount"
# apt would be a network client. Of the rest, what is left by installing differs from one time to the next, and what only people read
# is not needed; the copyright files and dpkg's database stay, by which a scanner knows what is here.
RUN set -e; \
    apt-get update -qq; \
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends ${PACKAGES}; \
    dpkg --purge --force-depends apt $(dpkg -l 'libapt-pkg*' | awk '/^ii/ { print $2 }'); \
    find /usr/share/doc -type f ! -name copyright -delete; \
    find /usr/share/doc -type d -empty -delete; \
    rm -rf /var/lib/apt /var/cache /var/log /etc/apt /usr/share/man /usr/share/locale /etc/machine-id /var/lib/systemd /tmp/* \
      /var/lib/dpkg/*-old /var/lib/dpkg/lock* /var/lib/dpkg/triggers/Lock; \
    mkdir -p /var/cache/ldconfig /var/log
ARG SHIFTFS_SOURCE=""
ARG SHIFTFS_SHA256=""
COPY Dockerfile ${SHIFTFS_SOURCE} /tmp/
RUN set -e; \
    mkdir -p /shiftfs; \
    if [ -n "${SHIFTFS_SOURCE}" ]; then \
      echo "${SHIFTFS_SHA256}  /tmp/$(basename "${SHIFTFS_SOURCE}")" | sha256sum --check --strict; \
      tar -xf "/tmp/$(basename "${SHIFTFS_SOURCE}")" -C /shiftfs --no-same-owner; \
    fi; \
    rm -rf /tmp/*

# What the helper's image holds.
FROM build AS helper-parts
COPY --from=tools /var/lib/dpkg /tools/dpkg
COPY --from=tools /usr/lib/os-release /tools/os-release
RUN mkdir -p /image/helper/usr/local/lib/berth; \
    node scripts/sbom.ts /tools/dpkg /tools/os-release >/image/helper/usr/local/lib/berth/sbom.cdx.json

FROM scratch AS helper
COPY --from=tools / /
COPY --from=build /image/berth /
COPY --from=helper-parts /image/helper /
ENV NODE_COMPILE_CACHE=/usr/local/lib/berth/cache
# Its time is spent by compilers and mounts: what counts of Node is that it is small while it waits.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=1", "/usr/local/lib/berth/berth.mjs"]
CMD ["helper"]
LABEL org.opencontainers.image.title="berth-helper" \
      org.opencontainers.image.description="The privileged half of berth: tries what workspaces need of a node, and mends what it is permitted to." \
      org.opencontainers.image.licenses="Apache-2.0"
ARG REVISION=""
LABEL org.opencontainers.image.revision="${REVISION}"

FROM scratch AS agent
COPY --from=build /image/libraries /
COPY --from=build /image/berth /
COPY --from=build /image/agent /
# V8's code of the bundle: a start takes a third less of time with it.
ENV NODE_COMPILE_CACHE=/usr/local/lib/berth/cache
USER 65532:65532
# It idles, and a new space of 1 MiB saves 7 MiB. Other flags of V8's would cost more than they bring: with most of them it refuses the
# code that Node brings with it.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=1", "/usr/local/lib/berth/berth.mjs"]
CMD ["run"]
EXPOSE 9642
LABEL org.opencontainers.image.title="berth" \
      org.opencontainers.image.description="Finds out which developer workspaces a Kubernetes node can host, and labels the node accordingly." \
      org.opencontainers.image.licenses="Apache-2.0"
ARG REVISION=""
LABEL org.opencontainers.image.revision="${REVISION}"
