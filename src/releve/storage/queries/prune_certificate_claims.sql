-- Certificates that were shown and that nobody accepted.
DELETE FROM certificate_claim WHERE (fingerprint, device_id) IN (
    SELECT fingerprint, device_id FROM certificate_claim
    WHERE accepted_by IS NULL AND shown < now() - make_interval(days => %(days)s) LIMIT %(limit)s
)
