#!/usr/bin/env bash
# Runs the curl commands of the README, and checks their answers.
set -euo pipefail
commands=$(awk '/^# A new account/ { on = 1 } /^```/ { on = 0 } on' README.md)
answers=$(eval "$commands")
for expected in \
  'Verification e-mail sent.' \
  'http://localhost:3000/docs#/Session/login' \
  '"gender":"F","phone_number":"+15550100"' \
  '"gender":"NS","phone_number":"+15550100"' \
  'New password has been saved.' \
  'Successfully logged out.' \
  'Password reset e-mail has been sent.' \
  'Password has been reset with the new password.'
do
  case "$answers" in
    *"$expected"*) ;;
    *) printf 'the README promises %s; got:\n%s\n' "$expected" "$answers"; exit 1 ;;
  esac
done
echo 'the commands of the README answer as promised'
