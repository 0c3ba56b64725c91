# Two images from one bundle:
#
#   docker build .                    the agent: Node.js and one file; no shell, no package manager, an unprivileged user
#   docker build --target helper .    the helper: also the tools to mount, load and build a kernel module; no network client
#
# The helper's image has no source of shiftfs. To include yours, put its folders (k5.10, k6.1, …) into a tar file in this
# directory:
#
#   docker build --target helper --build-arg SHIFTFS_SOURCE=shiftfs.tar --build-arg SHIFTFS_SHA256=… .
#
# Two builds of one commit have the same digest if the base images are the same and the builder sets all timestamps to one value
# (buildah --timestamp 0, or docker buildx build --output type=image,rewrite-timestamp=true with SOURCE_DATE_EPOCH=0).

# The base images are pinned by digest, since a tag can be moved. These digests are from October 2026. For later fixes of Debian,
# use newer digests, which `docker buildx imagetools inspect NAME:TAG` prints.

# Debian 13; any other distribution with util-linux 2.39 or newer works too.
ARG BASE=docker.io/library/debian:trixie-slim@sha256:a29215f6a35e51e22adffa17f89e9d2ef06214e64a2bad10d765c46aea49f11f
# Only for the build, and for the agent's libraries: the images run the Node.js of package-lock.json.
ARG NODE=docker.io/library/node:24.21.0-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66

FROM ${NODE} AS build
WORKDIR /src
COPY package.json package-lock.json ./
# Set it to `true` if node_modules is mounted.
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
# apt is removed because it is a network client. Logs, caches and locks are removed because they differ between installations, and
# manuals because they are not needed. The copyright files and dpkg's database stay, so that a scanner can identify the packages.
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

# The list of parts (SBOM) for the helper's image.
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
# Compilers and mounts take most of the helper's time, so Node.js is only tuned to be small while it waits.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=1", "/usr/local/lib/berth/berth.mjs"]
CMD ["helper"]
LABEL org.opencontainers.image.title="berth-helper" \
      org.opencontainers.image.description="Privileged helper of berth: tests mounts, and changes on the node what you permit." \
      org.opencontainers.image.licenses="Apache-2.0"
ARG REVISION=""
LABEL org.opencontainers.image.revision="${REVISION}"

FROM scratch AS agent
COPY --from=build /image/libraries /
COPY --from=build /image/berth /
COPY --from=build /image/agent /
# V8's compiled code of the bundle. With it, a start takes a third less time.
ENV NODE_COMPILE_CACHE=/usr/local/lib/berth/cache
USER 65532:65532
# The agent is mostly idle, and a semi-space of 1 MiB saves 7 MiB. Other V8 flags would cost more than they save: with most of
# them, V8 rejects the compiled code that is built into Node.js.
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=1", "/usr/local/lib/berth/berth.mjs"]
CMD ["run"]
EXPOSE 9642
LABEL org.opencontainers.image.title="berth" \
      org.opencontainers.image.description="Finds out which developer workspaces a Kubernetes node can host, and labels the node accordingly." \
      org.opencontainers.image.licenses="Apache-2.0"
ARG REVISION=""
LABEL org.opencontainers.image.revision="${REVISION}"
