FROM debian:12.5
# ruleid: dockerfile-unsigned-packages
RUN apt-get update && apt-get install -y --allow-unauthenticated tool
# ruleid: dockerfile-unsigned-packages
RUN yum install -y --nogpgcheck tool
# ruleid: dockerfile-unsigned-packages
RUN echo "deb [trusted=yes] https://deb.internal stable main" > /etc/apt/sources.list.d/internal.list
# ok: dockerfile-unsigned-packages
RUN apt-get update && apt-get install -y --no-install-recommends tool
# ok: dockerfile-unsigned-packages
RUN echo "deb [signed-by=/etc/apt/keyrings/internal.gpg] https://deb.internal stable main" > /etc/apt/sources.list.d/internal.list
