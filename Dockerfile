# The program and the libraries it needs, on nothing else. `tools/image.sh` makes the same image without Docker.
FROM debian:12 AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates tzdata
COPY . /src
WORKDIR /src
RUN tools/setup.sh build && tools/build.sh && tools/image.sh

FROM scratch
COPY --from=build /src/build/image/ /
USER 1000:999
ENTRYPOINT ["/manager"]
