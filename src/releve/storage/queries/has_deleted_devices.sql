-- Whether a device was deleted more than a day ago and its row is still there.
SELECT EXISTS (SELECT FROM fleet_device WHERE deleted_at < now() - interval '1 day')
