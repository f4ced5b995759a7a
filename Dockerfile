# The program and the libraries it needs, on nothing else. `make image` makes the same image without Docker, and
# `e2e/long.sh dockerfile` builds this file with buildah.
FROM debian:12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates
COPY . /src
WORKDIR /src
RUN tools/setup.sh build && tools/build.sh && tools/image.sh

FROM scratch
COPY --from=build /src/build/image/ /
USER 1000:999
ENTRYPOINT ["/manager"]
