-- Whether a device has rows of before an instant that may be sealed, which takes their readings to where rules delete them.
SELECT EXISTS (
    SELECT FROM fresh_reading
    WHERE device_id = %(device)s AND time < to_timestamp(0) + %(before_us)s::bigint * interval '1 microsecond'
      AND received < now() - interval '10 minutes'
)
