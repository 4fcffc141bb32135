FROM debian:12.5
# ruleid: dockerfile-world-writable
RUN chmod -R 777 /srv/app
RUN mkdir /data && \
    # ruleid: dockerfile-world-writable
    chmod a+rwx /data
# ruleid: dockerfile-world-writable
COPY --chmod=777 app /srv/app
# ok: dockerfile-world-writable
RUN chmod 1777 /srv/scratch
# ok: dockerfile-world-writable
RUN chmod -R 755 /srv/app
