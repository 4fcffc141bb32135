FROM debian:12.5
# ruleid: dockerfile-add-url
ADD https://tools.internal/tool.tgz /opt/
# ruleid: dockerfile-add-url
ADD --chown=app:app http://tools.internal/tool /usr/local/bin/tool
# ok: dockerfile-add-url
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://tools.internal/tool.tgz /opt/
# ok: dockerfile-add-url
ADD app.tgz /opt/
# ok: dockerfile-add-url
COPY tool /usr/local/bin/tool
