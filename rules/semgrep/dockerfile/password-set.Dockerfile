FROM debian:12.5
# ruleid: dockerfile-password-set
RUN echo 'root:opensesame' | chpasswd
# ruleid: dockerfile-password-set
RUN useradd -m app && passwd -d app
# ok: dockerfile-password-set
RUN useradd -m -s /usr/sbin/nologin app
# ok: dockerfile-password-set
RUN --mount=type=secret,id=pw chpasswd < /run/secrets/pw
