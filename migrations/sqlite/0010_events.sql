CREATE TABLE `auth_events` (
	`id` text PRIMARY KEY NOT NULL,
	`type` text NOT NULL,
	`at` integer NOT NULL,
	`user_pk` text,
	`session_id` text,
	`ip` text,
	`user_agent` text,
	`details` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `auth_events_user_pk_index` ON `auth_events` (`user_pk`,`id`);--> statement-breakpoint
CREATE INDEX `auth_events_at_index` ON `auth_events` (`at`);--> statement-breakpoint
CREATE TABLE `auth_known_devices` (
	`device` text PRIMARY KEY NOT NULL,
	`user_pk` text NOT NULL,
	`last_seen_at` integer NOT NULL,
	FOREIGN KEY (`user_pk`) REFERENCES `users`(`pk`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `auth_known_devices_user_pk_index` ON `auth_known_devices` (`user_pk`);--> statement-breakpoint
CREATE INDEX `auth_known_devices_last_seen_at_index` ON `auth_known_devices` (`last_seen_at`);