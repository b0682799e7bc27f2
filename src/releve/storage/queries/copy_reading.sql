COPY fresh_reading (device_id, time, id, received, channels, sent) FROM STDIN (FORMAT binary)
