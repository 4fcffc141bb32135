FROM debian:12.5
# ruleid: dockerfile-curl-pipe-shell
RUN curl -fsSL https://tools.internal/install.sh | sh
RUN apt-get update && apt-get install -y wget \
    # ruleid: dockerfile-curl-pipe-shell
    && wget -qO- https://tools.internal/setup | bash -s -- --yes
# ok: dockerfile-curl-pipe-shell
RUN curl -fsSL -o /tmp/tool https://tools.internal/tool
# ok: dockerfile-curl-pipe-shell
RUN curl -fsSL https://tools.internal/tool.tgz | tar -xz -C /opt
