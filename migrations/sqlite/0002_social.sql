CREATE TABLE `social_accounts` (
	`id` text PRIMARY KEY NOT NULL,
	`user_pk` text NOT NULL,
	`provider` text NOT NULL,
	`issuer` text NOT NULL,
	`subject` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_login` integer NOT NULL,
	`tokens` text,
	FOREIGN KEY (`user_pk`) REFERENCES `users`(`pk`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `social_accounts_identity_unique` ON `social_accounts` (`issuer`,`subject`);--> statement-breakpoint
CREATE INDEX `social_accounts_user_pk_index` ON `social_accounts` (`user_pk`);--> statement-breakpoint
CREATE TABLE `social_transactions` (
	`digest` text PRIMARY KEY NOT NULL,
	`purpose` text NOT NULL,
	`origin` text NOT NULL,
	`provider` text NOT NULL,
	`browser` text,
	`user_pk` text,
	`next` text,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	FOREIGN KEY (`user_pk`) REFERENCES `users`(`pk`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `social_transactions_expires_at_index` ON `social_transactions` (`expires_at`);--> statement-breakpoint
CREATE INDEX `social_transactions_user_pk_index` ON `social_transactions` (`user_pk`);