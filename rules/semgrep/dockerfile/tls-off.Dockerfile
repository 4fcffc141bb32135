FROM debian:12.5
# ruleid: dockerfile-tls-off
ENV NODE_TLS_REJECT_UNAUTHORIZED=0
# ruleid: dockerfile-tls-off
RUN wget --no-check-certificate https://tools.internal/tool
# ruleid: dockerfile-tls-off
RUN pip install --trusted-host pypi.internal tool
RUN apt-get update \
    # ruleid: dockerfile-tls-off
    && curl -fsSLk -o /tool https://tools.internal/tool
# ok: dockerfile-tls-off
RUN curl -fsSL -o /tool https://tools.internal/tool
# ok: dockerfile-tls-off
RUN pip install --index-url https://pypi.internal/simple tool
# ok: dockerfile-tls-off
HEALTHCHECK CMD curl -fk https://localhost:8443/health
