{{- define "ridestream.secret" -}}
{{ index .root.Values.tls.secrets .service | default (printf "ridestream-%s" .service) }}
{{- end }}

{{- /* Smallest memory limit of a market's dispatch, in MiB: 65 for the process, 23 KB for each driver. */ -}}
{{- define "ridestream.dispatchLeastMiB" -}}
{{ add 65 (div (mul . 23) 1000) 1 }}
{{- end }}

{{- /* Default limit: gRPC uses at most a quarter of it for connections, so four times 23 KB for each driver. */ -}}
{{- define "ridestream.dispatchMiB" -}}
{{ add 128 (div (mul . 92) 1000) }}
{{- end }}

{{- /* Smallest limit of a location: 350 bytes for each of --max_drivers (twice maxDrivers), and the 120 MiB that strangers can make it hold. */ -}}
{{- define "ridestream.locationLeastMiB" -}}
{{ add 128 (div (mul . 700) 1000000) 1 }}
{{- end }}

{{- define "ridestream.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "ridestream.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "ridestream.resources" -}}
resources:
  requests: {cpu: {{ .cpu }}, memory: {{ .memory }}Mi}
  limits: {memory: {{ .memory }}Mi}
{{- end }}

{{- /* Settings of every service: addresses, clock, certificate, token keys. */ -}}
{{- define "ridestream.environment" -}}
- {name: RIDESTREAM_LISTEN, value: "0.0.0.0:{{ .port }}"}
- {name: RIDESTREAM_METRICS_LISTEN, value: "0.0.0.0:{{ add .port 100 }}"}
- {name: RIDESTREAM_DRAIN_GRACE, value: "{{ .drain }}s"}
- {name: RIDESTREAM_CLOCK_RATE, value: {{ .root.Values.clockRate | quote }}}
- {name: RIDESTREAM_LOG_FORMAT, value: json}
- {name: RIDESTREAM_TLS_CERTIFICATE, value: /identity/tls.crt}
- {name: RIDESTREAM_TLS_KEY, value: /identity/tls.key}
- {name: RIDESTREAM_TLS_AUTHORITIES, value: /identity/ca.crt}
- {name: RIDESTREAM_TOKEN_KEYS, value: {{ .root.Values.tokens.url | default "/tokens/jwks.json" | quote }}}
{{- if .root.Values.tokens.secret }}
- {name: RIDESTREAM_REVOCATIONS, value: /tokens/revoked}
{{- end }}
- {name: RIDESTREAM_TOKEN_ISSUER, value: {{ .root.Values.tokens.issuer | quote }}}
- {name: RIDESTREAM_TOKEN_AUDIENCE, value: {{ .root.Values.tokens.audience | quote }}}
{{- end }}

{{- /* Connections that one door accepts: its maxconn. */ -}}
{{- define "ridestream.doorConnections" }}4000{{ end }}

{{- /*
HAProxy opens a connection to a service for each client, so a service must accept as many from one address as a
door does. That may be at most half of all. `clients` is the number of clients behind all doors.
*/ -}}
{{- define "ridestream.connections" -}}
{{- $door := include "ridestream.doorConnections" . | int }}
- {name: RIDESTREAM_GRPC_MAX_CONNECTIONS, value: "{{ add .clients (mul 2 $door) }}"}
- {name: RIDESTREAM_GRPC_MAX_CONNECTIONS_PER_ADDRESS, value: "{{ $door }}"}
{{- end }}

{{- define "ridestream.mounts" -}}
- {name: identity, mountPath: /identity, readOnly: true}
{{- if .Values.tokens.secret }}
- {name: tokens, mountPath: /tokens, readOnly: true}
{{- end }}
{{- end }}

{{- /* The files of Secrets belong to root and are readable for the pod's group, in which only this process is. */ -}}
{{- define "ridestream.volumes" -}}
- name: identity
  secret: {secretName: {{ include "ridestream.secret" . }}, defaultMode: 0440}
{{- with .root.Values.tokens.secret }}
- name: tokens
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end }}

{{- define "ridestream.ports" -}}
- {name: grpc, containerPort: {{ . }}}
- {name: metrics, containerPort: {{ add . 100 }}}
{{- end }}

{{- /* Checks gRPC's health with the service's own certificate: the kubelet's gRPC probe has no mutual TLS. */ -}}
{{- define "ridestream.grpcReadiness" -}}
readinessProbe:
  exec: {command: [healthprobe, "127.0.0.1:{{ .port }}"]}
  periodSeconds: {{ .every | default 5 }}
  timeoutSeconds: 5
  failureThreshold: 2
{{- end }}

{{- /*
Counts only pods of the same version: in a rolling update, pods of the old one would otherwise push all new ones to
the same node.
*/ -}}
{{- define "ridestream.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    matchLabelKeys: [pod-template-hash]
    labelSelector: {matchLabels: {app.kubernetes.io/part-of: ridestream, app.kubernetes.io/name: {{ . }}}}
{{- end }}

{{- define "ridestream.labels" -}}
app.kubernetes.io/part-of: ridestream
app.kubernetes.io/name: {{ .service }}
{{- with .market }}
ridestream/market: {{ . }}
{{- end }}
{{- end }}

{{- define "ridestream.streets" -}}
{{- $all := list }}
{{- range .Values.markets }}{{ $all = append $all (printf "%s=%s" .name .streets) }}{{ end }}
{{- join "," $all }}
{{- end }}

{{- define "ridestream.image" -}}
image: "{{ .repository }}:{{ .tag }}"
imagePullPolicy: {{ .pullPolicy }}
{{- end }}
