#!/bin/sh
# One job of a pipeline: `pipeline.sh plan`, `pipeline.sh apply` or `pipeline.sh drift`. Run it at the top of your repository.
# README.md beside this file has the variables to set, and what each exit code means.
set -eu

plan_file=${PLAN_FILE:-algosync.plan}   # what `plan` leaves for `apply`; it holds no secrets
reports=${REPORTS:-reports}             # the folder for reports

case ${1-} in
  plan)
    mkdir -p "$reports"
    algosync plan --out "$plan_file" --report "text:$reports/plan.txt" --report "json:$reports/plan.json"
    ;;
  apply)
    # Does exactly what the saved plan says, or nothing. It waits for another job that works on the same state.
    algosync apply --lock-timeout "${LOCK_TIMEOUT:-600}" "$plan_file"
    ;;
  drift)
    mkdir -p "$reports"
    algosync drift --report "text:$reports/drift.txt" --report "json:$reports/drift.json"
    ;;
  *)
    echo "usage: pipeline.sh plan | apply | drift" >&2
    exit 64
    ;;
esac
