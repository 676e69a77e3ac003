# syntax=docker/dockerfile:1

FROM golang:1.27-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags '-s -w' -o /out/gatehouse . \
 && mkdir -p /out/data /out/tmp \
 && cp /usr/local/go/lib/time/zoneinfo.zip /out/zoneinfo.zip

# Nothing but the program, root certificates, time zones and a folder for uploads in progress.
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/zoneinfo.zip /zoneinfo.zip
COPY --from=build --chown=65532:65532 /out/tmp /tmp
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/gatehouse /gatehouse
ENV ZONEINFO=/zoneinfo.zip
USER 65532:65532
VOLUME /data
EXPOSE 8090
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["/gatehouse", "health", "--http", "127.0.0.1:8090"]
ENTRYPOINT ["/gatehouse"]
CMD ["serve", "--dir", "/data", "--http", "0.0.0.0:8090"]
