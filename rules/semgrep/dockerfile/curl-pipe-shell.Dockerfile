FROM debian:12.5
# ruleid: dockerfile-curl-pipe-shell
RUN curl -fsSL https://tools.internal/install.sh | sh
# ok: dockerfile-curl-pipe-shell
RUN curl -fsSL -o /tmp/tool https://tools.internal/tool
