FROM debian:12.5
# ruleid: dockerfile-sudo
RUN sudo apt-get update && sudo apt-get install -y git
# ruleid: dockerfile-sudo
RUN echo 'app ALL=(ALL) NOPASSWD:ALL' >> /etc/sudoers
# ok: dockerfile-sudo
RUN apt-get update && apt-get install -y sudo
# ok: dockerfile-sudo
RUN echo "no sudo here"
