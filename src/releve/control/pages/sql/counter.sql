-- What was learnt of the device's counter; no row when it never counted.
SELECT tick_us FROM boot_anchor WHERE device_id = %(device)s
