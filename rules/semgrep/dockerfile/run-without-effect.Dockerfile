FROM debian:12.5
# ruleid: dockerfile-run-without-effect
RUN cd /srv/app
# ruleid: dockerfile-run-without-effect
RUN export PATH=/opt/tool/bin:$PATH
# ok: dockerfile-run-without-effect
RUN cd /srv/app && make
# ok: dockerfile-run-without-effect
WORKDIR /srv/app
# ok: dockerfile-run-without-effect
RUN export CI=1; make test
