# SIGTERM: requests under way are answered, then the process ends by itself with code 0.
rule E2eStop stop-label deny
pod load >"$run/load.json"
rm -f "$run/stop-load"
denied '[stop-label]' create_pod bad
manager_end TERM 30
manager_start
manager_wait_ready 60
denied '[stop-label] bad has no label team' create_pod bad
