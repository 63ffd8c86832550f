CREATE TABLE `one_time_tokens` (
	`digest` text PRIMARY KEY NOT NULL,
	`mail_id` text NOT NULL,
	`purpose` text NOT NULL,
	`user_pk` text NOT NULL,
	`address` text NOT NULL,
	`password_digest` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`user_pk`) REFERENCES `users`(`pk`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `one_time_tokens_mail_id_unique` ON `one_time_tokens` (`mail_id`);--> statement-breakpoint
CREATE INDEX `one_time_tokens_user_pk_index` ON `one_time_tokens` (`user_pk`);--> statement-breakpoint
CREATE TABLE `mail_outbox` (
	`id` text PRIMARY KEY NOT NULL,
	`origin` text NOT NULL,
	`template` text NOT NULL,
	`address` text,
	`user_pk` text,
	`variables` text NOT NULL,
	`created_at` integer NOT NULL,
	`due_at` integer,
	`attempts` integer NOT NULL,
	`admitted_at` integer,
	`sent_at` integer,
	`failed_at` integer,
	`last_error` text,
	FOREIGN KEY (`user_pk`) REFERENCES `users`(`pk`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `mail_outbox_due_at_index` ON `mail_outbox` (`due_at`);--> statement-breakpoint
CREATE INDEX `mail_outbox_user_pk_index` ON `mail_outbox` (`user_pk`);--> statement-breakpoint
ALTER TABLE `refresh_tokens` ADD `spent_at` integer;--> statement-breakpoint
ALTER TABLE `sessions` ADD `authenticated_at` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `email_verified` integer DEFAULT false NOT NULL;