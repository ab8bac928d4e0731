/** Messages of workloads. How to read a line: see message-table.ts. Facts are those of k8s.io/api v0.34. */
export const WORKLOADS_MESSAGES = {
  apps: `
ControllerRevision metadata=1:O data=2:R revision=3:l!
DaemonSet metadata=1:O spec=2:DaemonSetSpec status=3:DaemonSetStatus
DaemonSetCondition type=1:s! status=2:s! lastTransitionTime=3:T reason=4:s message=5:s
DaemonSetSpec selector=1:meta.LabelSelector!* template=2:core.PodTemplateSpec!
  updateStrategy=3:DaemonSetUpdateStrategy minReadySeconds=4:i revisionHistoryLimit=6:i*
DaemonSetStatus currentNumberScheduled=1:i! numberMisscheduled=2:i! desiredNumberScheduled=3:i! numberReady=4:i!
  observedGeneration=5:l updatedNumberScheduled=6:i numberAvailable=7:i numberUnavailable=8:i collisionCount=9:i*
  conditions=10:[DaemonSetCondition]<type>(type)
DaemonSetUpdateStrategy type=1:s rollingUpdate=2:RollingUpdateDaemonSet*
Deployment metadata=1:O spec=2:DeploymentSpec status=3:DeploymentStatus
DeploymentCondition type=1:s! status=2:s! reason=4:s message=5:s lastUpdateTime=6:T lastTransitionTime=7:T
DeploymentSpec replicas=1:i* selector=2:meta.LabelSelector!* template=3:core.PodTemplateSpec!
  strategy=4:DeploymentStrategy<!-> minReadySeconds=5:i revisionHistoryLimit=6:i* paused=7:b
  progressDeadlineSeconds=9:i*
DeploymentStatus observedGeneration=1:l replicas=2:i updatedReplicas=3:i availableReplicas=4:i
  unavailableReplicas=5:i conditions=6:[DeploymentCondition]<type>(type) readyReplicas=7:i collisionCount=8:i*
  terminatingReplicas=9:i*
DeploymentStrategy type=1:s rollingUpdate=2:RollingUpdateDeployment*
ReplicaSet metadata=1:O spec=2:ReplicaSetSpec status=3:ReplicaSetStatus
ReplicaSetCondition type=1:s! status=2:s! lastTransitionTime=3:T reason=4:s message=5:s
ReplicaSetSpec replicas=1:i* selector=2:meta.LabelSelector!* template=3:core.PodTemplateSpec minReadySeconds=4:i
ReplicaSetStatus replicas=1:i! fullyLabeledReplicas=2:i observedGeneration=3:l readyReplicas=4:i
  availableReplicas=5:i conditions=6:[ReplicaSetCondition]<type>(type) terminatingReplicas=7:i*
RollingUpdateDaemonSet maxUnavailable=1:X* maxSurge=2:X*
RollingUpdateDeployment maxUnavailable=1:X* maxSurge=2:X*
RollingUpdateStatefulSetStrategy partition=1:i* maxUnavailable=2:X*
StatefulSet metadata=1:O spec=2:StatefulSetSpec status=3:StatefulSetStatus
StatefulSetCondition type=1:s! status=2:s! lastTransitionTime=3:T reason=4:s message=5:s
StatefulSetOrdinals start=1:i?
StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted=1:s whenScaled=2:s
StatefulSetSpec replicas=1:i* selector=2:meta.LabelSelector!* template=3:core.PodTemplateSpec!
  volumeClaimTemplates=4:[core.PersistentVolumeClaim] serviceName=5:s? podManagementPolicy=6:s
  updateStrategy=7:StatefulSetUpdateStrategy revisionHistoryLimit=8:i* minReadySeconds=9:i
  persistentVolumeClaimRetentionPolicy=10:StatefulSetPersistentVolumeClaimRetentionPolicy*
  ordinals=11:StatefulSetOrdinals*
StatefulSetStatus observedGeneration=1:l replicas=2:i! readyReplicas=3:i currentReplicas=4:i updatedReplicas=5:i
  currentRevision=6:s updateRevision=7:s collisionCount=9:i* conditions=10:[StatefulSetCondition]<type>(type)
  availableReplicas=11:i?
StatefulSetUpdateStrategy type=1:s rollingUpdate=2:RollingUpdateStatefulSetStrategy*
`,
  autoscaling: `
ContainerResourceMetricSource name=1:s! target=2:MetricTarget! container=3:s!
ContainerResourceMetricStatus name=1:s! current=2:MetricValueStatus! container=3:s!
CrossVersionObjectReference kind=1:s! name=2:s! apiVersion=3:s
ExternalMetricSource metric=1:MetricIdentifier! target=2:MetricTarget!
ExternalMetricStatus metric=1:MetricIdentifier! current=2:MetricValueStatus!
HPAScalingPolicy type=1:s! value=2:i! periodSeconds=3:i!
HPAScalingRules selectPolicy=1:s* policies=2:[HPAScalingPolicy] stabilizationWindowSeconds=3:i* tolerance=4:Q*
HorizontalPodAutoscaler metadata=1:O spec=2:HorizontalPodAutoscalerSpec status=3:HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerBehavior scaleUp=1:HPAScalingRules* scaleDown=2:HPAScalingRules*
HorizontalPodAutoscalerCondition type=1:s! status=2:s! lastTransitionTime=3:T reason=4:s message=5:s
HorizontalPodAutoscalerSpec scaleTargetRef=1:CrossVersionObjectReference! minReplicas=2:i* maxReplicas=3:i!
  metrics=4:[MetricSpec] behavior=5:HorizontalPodAutoscalerBehavior*
HorizontalPodAutoscalerStatus observedGeneration=1:l* lastScaleTime=2:T* currentReplicas=3:i desiredReplicas=4:i!
  currentMetrics=5:[MetricStatus]? conditions=6:[HorizontalPodAutoscalerCondition]<type>(type)
MetricIdentifier name=1:s! selector=2:meta.LabelSelector*
MetricSpec type=1:s! object=2:ObjectMetricSource* pods=3:PodsMetricSource* resource=4:ResourceMetricSource*
  external=5:ExternalMetricSource* containerResource=7:ContainerResourceMetricSource*
MetricStatus type=1:s! object=2:ObjectMetricStatus* pods=3:PodsMetricStatus* resource=4:ResourceMetricStatus*
  external=5:ExternalMetricStatus* containerResource=7:ContainerResourceMetricStatus*
MetricTarget type=1:s! value=2:Q* averageValue=3:Q* averageUtilization=4:i*
MetricValueStatus value=1:Q* averageValue=2:Q* averageUtilization=3:i*
ObjectMetricSource describedObject=1:CrossVersionObjectReference! target=2:MetricTarget! metric=3:MetricIdentifier!
ObjectMetricStatus metric=1:MetricIdentifier! current=2:MetricValueStatus!
  describedObject=3:CrossVersionObjectReference!
PodsMetricSource metric=1:MetricIdentifier! target=2:MetricTarget!
PodsMetricStatus metric=1:MetricIdentifier! current=2:MetricValueStatus!
ResourceMetricSource name=1:s! target=2:MetricTarget!
ResourceMetricStatus name=1:s! current=2:MetricValueStatus!
`,
  autoscaling1: `
Scale metadata=1:O spec=2:ScaleSpec status=3:ScaleStatus
ScaleSpec replicas=1:i
ScaleStatus replicas=1:i! selector=2:s
`,
  batch: `
CronJob metadata=1:O spec=2:CronJobSpec status=3:CronJobStatus
CronJobSpec schedule=1:s! startingDeadlineSeconds=2:l* concurrencyPolicy=3:s suspend=4:b*
  jobTemplate=5:JobTemplateSpec! successfulJobsHistoryLimit=6:i* failedJobsHistoryLimit=7:i* timeZone=8:s*
CronJobStatus active=1:[core.ObjectReference] lastScheduleTime=4:T* lastSuccessfulTime=5:T*
Job metadata=1:O spec=2:JobSpec status=3:JobStatus
JobCondition type=1:s! status=2:s! lastProbeTime=3:T lastTransitionTime=4:T reason=5:s message=6:s
JobSpec parallelism=1:i* completions=2:i* activeDeadlineSeconds=3:l* selector=4:meta.LabelSelector*
  manualSelector=5:b* template=6:core.PodTemplateSpec! backoffLimit=7:i* ttlSecondsAfterFinished=8:i*
  completionMode=9:s* suspend=10:b* podFailurePolicy=11:PodFailurePolicy* backoffLimitPerIndex=12:i*
  maxFailedIndexes=13:i* podReplacementPolicy=14:s* managedBy=15:s* successPolicy=16:SuccessPolicy*
JobStatus conditions=1:[JobCondition]<type> startTime=2:T* completionTime=3:T* active=4:i succeeded=5:i failed=6:i
  completedIndexes=7:s uncountedTerminatedPods=8:UncountedTerminatedPods* ready=9:i* failedIndexes=10:s*
  terminating=11:i*
JobTemplateSpec metadata=1:O spec=2:JobSpec
PodFailurePolicy rules=1:[PodFailurePolicyRule]!
PodFailurePolicyOnExitCodesRequirement containerName=1:s* operator=2:s! values=3:[i]!(=)
PodFailurePolicyOnPodConditionsPattern type=1:s! status=2:s!
PodFailurePolicyRule action=1:s! onExitCodes=2:PodFailurePolicyOnExitCodesRequirement*
  onPodConditions=3:[PodFailurePolicyOnPodConditionsPattern]
SuccessPolicy rules=1:[SuccessPolicyRule]!
SuccessPolicyRule succeededIndexes=1:s* succeededCount=2:i*
UncountedTerminatedPods succeeded=1:[s](=) failed=2:[s](=)
`,
  policy: `
Eviction metadata=1:O deleteOptions=2:meta.DeleteOptions*
PodDisruptionBudget metadata=1:O spec=2:PodDisruptionBudgetSpec status=3:PodDisruptionBudgetStatus
PodDisruptionBudgetSpec minAvailable=1:X* selector=2:meta.LabelSelector*<-> maxUnavailable=3:X*
  unhealthyPodEvictionPolicy=4:s*
PodDisruptionBudgetStatus observedGeneration=1:l disruptedPods=2:{T} disruptionsAllowed=3:i! currentHealthy=4:i!
  desiredHealthy=5:i! expectedPods=6:i! conditions=7:[meta.Condition]<type>(type)
`,
  scheduling: `
PriorityClass metadata=1:O value=2:i! globalDefault=3:b description=4:s preemptionPolicy=5:s*
`,
} as const;
