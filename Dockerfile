# syntax=docker/dockerfile:1
# Relevé with its embedded PostgreSQL: docker build -t releve . && docker run -p 5000:5000 -v releve:/data releve

FROM python:3.12-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock requirements-aws.lock ./
# Every file is checked against its hash.
RUN python -m venv /opt/releve \
 && /opt/releve/bin/pip install --require-hashes -r requirements.lock -r requirements-aws.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
COPY docs ./docs
RUN /opt/releve/bin/pip install --no-deps --no-build-isolation .

FROM python:3.12-slim-bookworm
# PostgreSQL does not run as root, and wants a user with a name.
RUN echo 'releve:x:10001:10001:Releve:/data:/usr/sbin/nologin' >> /etc/passwd \
 && echo 'releve:x:10001:' >> /etc/group \
 && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=build /opt/releve /opt/releve
ENV PATH=/opt/releve/bin:$PATH \
    RELEVE_DATA_DIR=/data \
    RELEVE_HOST=0.0.0.0 \
    RELEVE_PORT=5000 \
    RELEVE_MQTT_HOST=0.0.0.0 \
    RELEVE_MQTT_PORT=1883
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 5000 1883
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/readyz?of=ingest', timeout=4)"]
ENTRYPOINT ["releve"]
CMD ["up"]
