-- Whether readings of a device were deleted, as its team asked, from one instant to another.
SELECT EXISTS (
    SELECT FROM expired_reading WHERE device_id = %(device)s AND channel = ''
    AND spans && tstzrange(
        to_timestamp(0) + %(first_us)s::bigint * interval '1 microsecond',
        to_timestamp(0) + %(last_us)s::bigint * interval '1 microsecond', '[]'
    )
)
