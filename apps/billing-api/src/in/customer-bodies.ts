import type { AttachmentBody, CustomerBody } from '#contracts';
import type { Attachment } from '#persistence';
import type { CustomerView } from '../read-customers.js';
import { instantText } from './wire-text.js';

export function toCustomerBody({ customer, subjects }: CustomerView): CustomerBody {
  return {
    id: customer.id,
    object: 'customer',
    key: customer.key,
    name: customer.name,
    email: customer.email,
    currency: customer.currency,
    time_zone: customer.timeZone,
    address: customer.address,
    tax_id: customer.taxId,
    purchase_order: customer.purchaseOrder,
    subjects: [...subjects],
    archived_at: instantText(customer.archivedAt),
    created_at: instantText(customer.createdAt),
    metadata: customer.metadata,
  };
}

export function toAttachmentBody(attachment: Attachment): AttachmentBody {
  return { object: 'customer_subject', customer: attachment.customerId, subject: attachment.subject, from: instantText(attachment.fromAt), to: instantText(attachment.toAt) };
}
