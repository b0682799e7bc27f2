-- What was noticed of the last restoration, for a month.
SELECT now() - time, detail FROM accounts_auditevent
WHERE kind = 'restored' AND time > now() - interval '30 days' ORDER BY id DESC LIMIT 1
