-- Nobody knows who was signed out since the backup, so all people sign in again and links are shared anew; devices, which cannot, go on.
WITH forgotten AS (DELETE FROM django_session),
revoked AS (UPDATE shares_share SET revoked_at = now() WHERE revoked_at IS NULL AND expires_at > now())
UPDATE accounts_signin SET revoked_at = now(), revoked_reason = 'restored without the journal of revocations'
WHERE account_id IS NOT NULL AND revoked_at IS NULL AND expires_at > now()
