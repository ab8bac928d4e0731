/** Messages of what extends the API. How to read a line: see message-table.ts. Facts are those of k8s.io/api v0.34. */
export const EXTENSIONS_MESSAGES = {
  admissionregistration: `
AuditAnnotation key=1:s! valueExpression=2:s!
ExpressionWarning fieldRef=2:s! warning=3:s!
MatchCondition name=1:s! expression=2:s!
MatchResources% namespaceSelector=1:meta.LabelSelector* objectSelector=2:meta.LabelSelector*
  resourceRules=3:[NamedRuleWithOperations] excludeResourceRules=4:[NamedRuleWithOperations] matchPolicy=7:s*
MutatingWebhook name=1:s! clientConfig=2:WebhookClientConfig! rules=3:[RuleWithOperations] failurePolicy=4:s*
  namespaceSelector=5:meta.LabelSelector* sideEffects=6:s!* timeoutSeconds=7:i* admissionReviewVersions=8:[s]!
  matchPolicy=9:s* reinvocationPolicy=10:s* objectSelector=11:meta.LabelSelector*
  matchConditions=12:[MatchCondition]<name>(name)
MutatingWebhookConfiguration metadata=1:O webhooks=2:[MutatingWebhook]<name>(name)
NamedRuleWithOperations% resourceNames=1:[s] ~=2:RuleWithOperations
ParamKind% apiVersion=1:s kind=2:s
ParamRef% name=1:s namespace=2:s selector=3:meta.LabelSelector* parameterNotFoundAction=4:s*
Rule apiGroups=1:[s] apiVersions=2:[s] resources=3:[s] scope=4:s*
RuleWithOperations operations=1:[s] ~=2:Rule
ServiceReference namespace=1:s! name=2:s! path=3:s* port=4:i*
TypeChecking expressionWarnings=1:[ExpressionWarning]
ValidatingAdmissionPolicy metadata=1:O spec=2:ValidatingAdmissionPolicySpec status=3:ValidatingAdmissionPolicyStatus
ValidatingAdmissionPolicyBinding metadata=1:O spec=2:ValidatingAdmissionPolicyBindingSpec
ValidatingAdmissionPolicyBindingSpec policyName=1:s paramRef=2:ParamRef* matchResources=3:MatchResources*
  validationActions=4:[s](=)
ValidatingAdmissionPolicySpec paramKind=1:ParamKind* matchConstraints=2:MatchResources* validations=3:[Validation]
  failurePolicy=4:s* auditAnnotations=5:[AuditAnnotation] matchConditions=6:[MatchCondition]<name>(name)
  variables=7:[Variable]<name>(name)
ValidatingAdmissionPolicyStatus observedGeneration=1:l typeChecking=2:TypeChecking*
  conditions=3:[meta.Condition](type)
ValidatingWebhook name=1:s! clientConfig=2:WebhookClientConfig! rules=3:[RuleWithOperations] failurePolicy=4:s*
  namespaceSelector=5:meta.LabelSelector* sideEffects=6:s!* timeoutSeconds=7:i* admissionReviewVersions=8:[s]!
  matchPolicy=9:s* objectSelector=10:meta.LabelSelector* matchConditions=11:[MatchCondition]<name>(name)
ValidatingWebhookConfiguration metadata=1:O webhooks=2:[ValidatingWebhook]<name>(name)
Validation expression=1:s! message=2:s reason=3:s* messageExpression=4:s
Variable% name=1:s! expression=2:s!
WebhookClientConfig service=1:ServiceReference* caBundle=2:y url=3:s*
`,
  apiextensions: `
CustomResourceColumnDefinition name=1:s! type=2:s! format=3:s description=4:s priority=5:i jsonPath=6:s!
CustomResourceConversion strategy=1:s! webhook=2:WebhookConversion*
CustomResourceDefinition metadata=1:O spec=2:CustomResourceDefinitionSpec! status=3:CustomResourceDefinitionStatus
CustomResourceDefinitionCondition type=1:s! status=2:s! lastTransitionTime=3:T reason=4:s message=5:s
CustomResourceDefinitionNames plural=1:s! singular=2:s shortNames=3:[s] kind=4:s! listKind=5:s categories=6:[s]
CustomResourceDefinitionSpec group=1:s! names=3:CustomResourceDefinitionNames! scope=4:s!
  versions=7:[CustomResourceDefinitionVersion]! conversion=9:CustomResourceConversion* preserveUnknownFields=10:b
CustomResourceDefinitionStatus conditions=1:[CustomResourceDefinitionCondition]?(type)
  acceptedNames=2:CustomResourceDefinitionNames? storedVersions=3:[s]?
CustomResourceDefinitionVersion name=1:s! served=2:b! storage=3:b! schema=4:CustomResourceValidation*
  subresources=5:CustomResourceSubresources* additionalPrinterColumns=6:[CustomResourceColumnDefinition]
  deprecated=7:b deprecationWarning=8:s* selectableFields=9:[SelectableField]
CustomResourceSubresourceScale specReplicasPath=1:s! statusReplicasPath=2:s! labelSelectorPath=3:s*
CustomResourceSubresourceStatus
CustomResourceSubresources status=1:CustomResourceSubresourceStatus* scale=2:CustomResourceSubresourceScale*
CustomResourceValidation openAPIV3Schema=1:JSONSchemaProps*
ExternalDocumentation description=1:s url=2:s
JSONSchemaProps id=1:s $schema=2:s $ref=3:s* description=4:s type=5:s format=6:s title=7:s default=8:J* maximum=9:d*
  exclusiveMaximum=10:b minimum=11:d* exclusiveMinimum=12:b maxLength=13:l* minLength=14:l* pattern=15:s
  maxItems=16:l* minItems=17:l* uniqueItems=18:b multipleOf=19:d* enum=20:[J] maxProperties=21:l*
  minProperties=22:l* required=23:[s] items=24:JSONSchemaPropsOrArray* allOf=25:[JSONSchemaProps]
  oneOf=26:[JSONSchemaProps] anyOf=27:[JSONSchemaProps] not=28:JSONSchemaProps* properties=29:{JSONSchemaProps}
  additionalProperties=30:JSONSchemaPropsOrBool* patternProperties=31:{JSONSchemaProps}
  dependencies=32:{JSONSchemaPropsOrStringArray} additionalItems=33:JSONSchemaPropsOrBool*
  definitions=34:{JSONSchemaProps} externalDocs=35:ExternalDocumentation* example=36:J* nullable=37:b
  x-kubernetes-preserve-unknown-fields=38:b* x-kubernetes-embedded-resource=39:b x-kubernetes-int-or-string=40:b
  x-kubernetes-list-map-keys=41:[s] x-kubernetes-list-type=42:s* x-kubernetes-map-type=43:s*
  x-kubernetes-validations=44:[ValidationRule]<rule>(rule)
SelectableField jsonPath=1:s!
ServiceReference namespace=1:s! name=2:s! path=3:s* port=4:i*
ValidationRule rule=1:s! message=2:s messageExpression=3:s reason=4:s* fieldPath=5:s optionalOldSelf=6:b*
WebhookClientConfig service=1:ServiceReference* caBundle=2:y url=3:s*
WebhookConversion clientConfig=2:WebhookClientConfig* conversionReviewVersions=3:[s]!
`,
  apiregistration: `
APIService metadata=1:O spec=2:APIServiceSpec status=3:APIServiceStatus
APIServiceCondition type=1:s! status=2:s! lastTransitionTime=3:T reason=4:s message=5:s
APIServiceSpec service=1:ServiceReference* group=2:s version=3:s insecureSkipTLSVerify=4:b caBundle=5:y
  groupPriorityMinimum=7:i! versionPriority=8:i!
APIServiceStatus conditions=1:[APIServiceCondition]<type>(type)
ServiceReference namespace=1:s name=2:s port=3:i*
`,
} as const;
